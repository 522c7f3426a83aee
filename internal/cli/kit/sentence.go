package kit

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sentence makes a sentence of an error's text: a capital first, a full stop last.
func Sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	if r, size := utf8.DecodeRuneInString(text); isPlainWord(text) {
		text = string(unicode.ToUpper(r)) + text[size:]
	}
	if !strings.ContainsAny(text[len(text)-1:], ".!?:") {
		text += "."
	}
	return text
}

// isPlainWord says whether the text begins with a word of the language, not with a name such as app:create or PORT.
func isPlainWord(text string) bool {
	word, _, _ := strings.Cut(text, " ")
	return strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLower(r) && r != ',' && r != '\'' }) < 0
}
