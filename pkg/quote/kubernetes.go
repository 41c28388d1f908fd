package quote

import "strings"

// Container is s as a container's command, argument or environment value: the
// kubelet expands $(NAME) in them, and reads two dollars as one.
func Container(s string) string { return strings.ReplaceAll(s, "$", "$$") }

// Containers quotes each.
func Containers(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = Container(s)
	}
	return out
}
