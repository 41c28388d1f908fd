package hostscript

// run is the order of what is told, and the call that starts it.
const run = `main() {
  timeout=$(timeout 1 echo yes 2>/dev/null)
  means=
  for means in bash python3 python perl nc ''; do if [ -n "$means" ] && have "$means"; then break; fi; done
  asked=0
  say '{' -
  say s kind HostReport
  say n schema 1
  about
  say s means "$means"
  say '[' names; names; wait; say ']'
  say '[' paths; paths; wait; say ']'
  say '}'
}

main </dev/null | json
`
