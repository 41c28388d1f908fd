package render

// putScript is the part of the gate's and the probe's scripts that writes a note on
// the volume.
const putScript = `# Writes a file so that it is there in full or not at all, also after a crash.
put() { # FILE TEXT
  printf '%s\n' "$2" >"$1.tmp" && sync "$1.tmp" && mv -fT "$1.tmp" "$1" && sync "${1%/*}"
}
`
