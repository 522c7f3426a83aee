package docker

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
)

// object is a JSON object whose members keep their order and their spelling: to read one and to write it changes nothing but
// blanks between them.
type object []member

type member struct {
	key   string
	value json.RawMessage
}

// parseObject reads a text; an empty one is an empty object.
func parseObject(text []byte) (object, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.Join(errors.New("it is no JSON object"), err)
	}
	var o object
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{key: key.(string)} // the decoder takes nothing else for a key
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		o = append(o, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("something follows the JSON object")
	}
	return o, nil
}

func (o object) index(key string) int {
	return slices.IndexFunc(o, func(m member) bool { return m.key == key })
}

// value is nil for a key that is not there.
func (o object) value(key string) json.RawMessage {
	if i := o.index(key); i >= 0 {
		return o[i].value
	}
	return nil
}

// with gives the object with a member set, in its old place or at the end.
func (o object) with(key string, value json.RawMessage) object {
	changed := slices.Clone(o)
	if i := o.index(key); i >= 0 {
		changed[i].value = value
		return changed
	}
	return append(changed, member{key, value})
}

func (o object) without(key string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return m.key == key })
}

func (o object) equal(other object) bool {
	return slices.EqualFunc(o, other, func(a, b member) bool { return a.key == b.key && bytes.Equal(a.value, b.value) })
}

// compact writes the members in their order.
func (o object) compact() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key := json.NewEncoder(&b)
		key.SetEscapeHTML(false)
		if err := key.Encode(m.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// text is the object as Docker writes its configuration: indented with tabs.
func (o object) text() ([]byte, error) {
	compact, err := o.compact()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, compact, "", "\t"); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
