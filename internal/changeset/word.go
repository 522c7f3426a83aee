package changeset

import "strings"

// isSplit reports a word that setArgv would split if it stood alone.
func isSplit(word string) bool { return strings.ContainsAny(word, " \t\n") }

// quoteWord writes a word so that a shell reads it back as exactly that one.
func quoteWord(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// showWords writes a vector for people, with quotes around words that would otherwise look like others.
func showWords(words []string) string {
	shown := make([]string, len(words))
	for i, w := range words {
		shown[i] = w
		if w == "" || strings.HasPrefix(w, "#") || strings.ContainsAny(w, " \t\r\n'\"\\") {
			shown[i] = quoteWord(w)
		}
	}
	return "[" + strings.Join(shown, " ") + "]"
}
