package changeset

import (
	"encoding/json"
	"fmt"
)

// listed is a command in the text of a list.
type listed struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

// EncodeList writes commands for the store. Equal lists have equal texts.
func EncodeList(commands []Command) ([]byte, error) {
	list := make([]listed, 0, len(commands))
	for _, c := range commands {
		text, err := Encode(c)
		if err != nil {
			return nil, fmt.Errorf("encode command %s: %w", c.Name(), err)
		}
		list = append(list, listed{c.Name(), text})
	}
	return json.Marshal(list)
}

// DecodeList reads commands as EncodeList wrote them.
func DecodeList(text []byte) ([]Command, error) {
	var list []listed
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	commands := make([]Command, 0, len(list))
	for _, l := range list {
		c, err := Decode(l.Name, l.Arguments)
		if err != nil {
			return nil, err
		}
		commands = append(commands, c)
	}
	return commands, nil
}

// CountList tells how many commands a list has, without reading them: there may be thousands.
func CountList(text []byte) (int, error) {
	var list []struct{}
	err := json.Unmarshal(text, &list)
	return len(list), err
}
