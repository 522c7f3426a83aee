package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStoringKeepsALinkALink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "dotfiles.yml"), filepath.Join(dir, FileName)
	if err := os.WriteFile(target, []byte("# only a comment\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if err := Store(link, Pair{"token", "a: b # c"}, Pair{"url", "x"}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v: the link is %v", err, info.Mode())
	}
	c, err := Load(Source{Getenv: func(name string) string { return map[string]string{"HOME": dir}[name] }})
	if err != nil || c.Token != "a: b # c" || c.URL != "x" {
		t.Errorf("%+v, %v", c, err)
	}
	if text, _ := os.ReadFile(target); string(text[:18]) != "# only a comment\n\n" {
		t.Errorf("the file is %q", text)
	}
}

func TestAFileThatIsNoMappingIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	for _, text := range []string{"- a\n", "a: [\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Store(path, Pair{"token", "x"}); err == nil {
			t.Errorf("%q was changed", text)
		}
		if after, _ := os.ReadFile(path); string(after) != text {
			t.Errorf("%q became %q", text, after)
		}
	}
	if err := Store("", Pair{"token", "x"}); err == nil {
		t.Error("a session was stored nowhere")
	}
}
