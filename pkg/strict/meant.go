package strict

import "strings"

// Meant is the one of some names that somebody may have wanted to type: the same but for
// case, blanks and dashes, or else at most two letters off, one where it is short. It is
// empty where there is none, or where several are as near.
func Meant(typed string, known []string) string {
	plain := strings.NewReplacer("-", "", "_", "", " ", "")
	fold := func(s string) string { return strings.ToLower(plain.Replace(s)) }
	want := fold(typed)
	best, least := "", 3
	for _, k := range known {
		switch off := distance(want, fold(k)); {
		case off*3 > len(k) && off > 0, off > least:
		case off == least:
			best = ""
		default:
			best, least = k, off
		}
	}
	return best
}

// distance counts the letters to exchange, put in or leave out; neighbors that are swapped
// count as one. More than three is three.
func distance(a, b string) int {
	const most = 3
	if len(a)-len(b) >= most || len(b)-len(a) >= most || len(a) > maxMeant {
		return most
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row := rows[(i+1)%3], rows[(i+2)%3], rows[i%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return min(most, rows[len(a)%3][len(b)])
}

// maxMeant bounds what is compared.
const maxMeant = 64
