package definition

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// JSON writes a definition as one line of JSON, which Parse reads as well.
func (d Definition) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		return nil, err
	}
	var line strings.Builder
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if inYAML(r) {
			line.WriteRune(r)
		} else {
			fmt.Fprintf(&line, `\u%04x`, r)
		}
	}
	return []byte(line.String()), nil
}

// inYAML reports characters of JSON that YAML takes for the same. It has no control characters but the oldest three, and more
// ends of lines, which it makes spaces of.
func inYAML(r rune) bool {
	return r < 0x7f || r >= 0xa0 && r != '\u2028' && r != '\u2029' && r != '\ufeff' && r != '\ufffe' && r != '\uffff'
}

// YAML writes a definition as a file: fields in the order of Definition, names sorted, so that the same definition is always the
// same text.
func (d Definition) YAML() ([]byte, error) {
	text, err := d.JSON()
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil { // its nodes are in the order of the text
		return nil, err
	}
	spread(document.Content[0])
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(&document); err != nil {
		return nil, err
	}
	return b.Bytes(), e.Close()
}

// spread takes braces and most quotes away; lists stay on a line.
func spread(n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		if len(n.Content) > 0 {
			n.Style = 0
		}
		for i, child := range n.Content {
			if i%2 == 0 {
				unquote(child)
				continue
			}
			spread(child)
		}
	case yaml.ScalarNode:
		unquote(n)
	case yaml.SequenceNode:
		for _, child := range n.Content {
			unquote(child)
		}
	}
}

// plainWord is a text that every reader of YAML, old or new, takes for exactly that text when it has no quotes, unless noText
// is a word of YAML's.
var (
	plainWord = regexp.MustCompile(`^-{0,2}[A-Za-z_/][A-Za-z0-9_./+-]*(?:[: ][A-Za-z0-9_./+]+[A-Za-z0-9_./+-]*)*$`)
	noText    = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null)$`)
)

func unquote(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && plainWord.MatchString(n.Value) && !noText.MatchString(n.Value) {
		n.Style = 0
	}
}
