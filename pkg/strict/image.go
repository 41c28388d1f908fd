package strict

import "strings"

// Image is the reference of an image: [HOST[:PORT]/]PATH[:TAG][@DIGEST].
func Image(s string) string {
	const want = "an image such as registry.example.com/zookeeper:3.8.4"
	rest, digest, found := strings.Cut(s, "@")
	if len(s) > 512 || found && !isDigest(digest) {
		return want
	}
	if colon := strings.LastIndexByte(rest, ':'); colon > strings.LastIndexByte(rest, '/') {
		if !isTag(rest[colon+1:]) {
			return want
		}
		rest = rest[:colon]
	}
	parts := strings.Split(rest, "/")
	if len(parts) > 1 && isRegistry(parts[0]) {
		parts = parts[1:]
	}
	for _, p := range parts {
		if !isImagePart(p) {
			return want
		}
	}
	return ""
}

// isRegistry: only the first part may be one, and it looks like a host.
func isRegistry(s string) bool {
	host, port, found := strings.Cut(s, ":")
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 || Address(s[1:end]) != "" {
			return false
		}
		host, port, found = "bracketed.address", strings.TrimPrefix(s[end+1:], ":"), len(s) > end+1
	}
	if found && !of(port, digits, 5) {
		return false
	}
	return (found || strings.Contains(host, ".") || host == "localhost") && of(host, letters+".-", 253) && isAlnum(host[0]) && isAlnum(host[len(host)-1])
}

// isImagePart: lower-case letters and digits, divided by one dot, one or two
// underscores, or dashes.
func isImagePart(s string) bool {
	if !of(s, lower+digits+"._-", 255) || !isAlnum(s[0]) || !isAlnum(s[len(s)-1]) {
		return false
	}
	for _, run := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(lower+digits, r) }) {
		if run != "." && run != "_" && run != "__" && strings.Trim(run, "-") != "" {
			return false
		}
	}
	return true
}

func isTag(s string) bool {
	return of(s, letters+"_.-", 128) && !strings.ContainsRune(".-", rune(s[0]))
}

func isDigest(s string) bool {
	algorithm, hex, found := strings.Cut(s, ":")
	return found && of(algorithm, lower+digits+"+._-", 32) && of(hex, digits+"abcdef", 128) && len(hex) >= 32
}

func isAlnum(c byte) bool { return strings.IndexByte(letters, c) >= 0 }
