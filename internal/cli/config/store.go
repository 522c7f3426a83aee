package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// Pair is one key of the user's file; an empty value removes the key.
type Pair struct{ Key, Value string }

// Store changes keys of the user's file and keeps everything else in it, comments too. The file is private (0600), and
// is there as it was or as it shall be at any moment.
func Store(path string, pairs ...Pair) error {
	if path == "" {
		return errors.New("there is no home directory to store the session in: set HOME, or use SETOPS_TOKEN instead")
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	text, err = edit(text, pairs)
	if err != nil {
		return fmt.Errorf("change %s: %w", path, err)
	}
	if err := Replace(path, text); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func edit(text []byte, pairs []Pair) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if document.Kind == 0 { // an empty file, or only comments
		document = yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode}}, HeadComment: string(text)}
	}
	mapping := document.Content[0]
	if mapping.Kind != yaml.MappingNode {
		return nil, errors.New("it is no list of `key: value`")
	}
	for _, p := range pairs {
		set(mapping, p)
	}
	return yaml.Marshal(&document)
}

func set(mapping *yaml.Node, p Pair) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value != p.Key {
			continue
		}
		if p.Value == "" {
			mapping.Content = append(mapping.Content[:i], mapping.Content[i+2:]...)
			return
		}
		mapping.Content[i+1].SetString(p.Value)
		return
	}
	if p.Value == "" {
		return
	}
	var key, value yaml.Node
	key.SetString(p.Key)
	value.SetString(p.Value)
	mapping.Content = append(mapping.Content, &key, &value)
}

// Replace gives a file of the user's a new text, private (0600). It writes beside it and renames, so that neither a crash nor
// a full disk costs the file.
func Replace(path string, text []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a link stays a link
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // 0600 by itself
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // in vain once it is renamed
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
