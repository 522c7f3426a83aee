package cli_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// passesThrough are the packages that end with the code of a task.
var passesThrough = []string{"cmd/task", "cmd/release"}

// TestTheExitCodesAreThoseThatAreDocumented reads the constants of kit, and finds them, and 0, in docs/cli.md and in the topic.
func TestTheExitCodesAreThoseThatAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := append(exitConstants(t), "0")
	slices.Sort(codes)
	topic := newSession(t).run("help", "exit-codes").stdout
	for where, found := range map[string][][]string{
		"docs/cli.md":            regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllStringSubmatch(string(page), -1),
		"setops help exit-codes": regexp.MustCompile(`(?m)^ +(\d+)   `).FindAllStringSubmatch(topic, -1),
	} {
		var documented []string
		for _, m := range found {
			documented = append(documented, m[1])
		}
		slices.Sort(documented)
		if !slices.Equal(documented, codes) {
			t.Errorf("%s has the exit codes %v, setops has %v", where, documented, codes)
		}
	}
}

// exitConstants are the values of the constants Exit… of kit.
func exitConstants(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "kit/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, isValue := n.(*ast.ValueSpec)
		if isValue && len(spec.Values) == 1 && strings.HasPrefix(spec.Names[0].Name, "Exit") {
			values = append(values, spec.Values[0].(*ast.BasicLit).Value)
		}
		return true
	})
	if len(values) == 0 {
		t.Fatal("kit/errors.go has no constants Exit…")
	}
	return values
}

// TestNoCommandInventsAnExitCode finds codes that are not constants of kit, and commands that end the program by themselves.
func TestNoCommandInventsAnExitCode(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := gotoken.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if what := inventedCode(path, n); what != "" {
				t.Errorf("%s: %s; declare the code in kit/errors.go, and document it", files.Position(n.Pos()), what)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func inventedCode(path string, n ast.Node) string {
	switch n := n.(type) {
	case *ast.KeyValueExpr:
		key, _ := n.Key.(*ast.Ident)
		value, isLiteral := n.Value.(*ast.BasicLit)
		if key != nil && key.Name == "Code" && isLiteral && value.Kind == gotoken.INT {
			return "the exit code " + value.Value + " has no name"
		}
	case *ast.CallExpr:
		called, _ := n.Fun.(*ast.SelectorExpr)
		if called == nil {
			return ""
		}
		of, _ := called.X.(*ast.Ident)
		if of == nil || len(n.Args) == 0 {
			return ""
		}
		if constant, isConstant := n.Args[0].(*ast.SelectorExpr); isConstant && strings.HasPrefix(constant.Sel.Name, "Exit") {
			return ""
		}
		name := of.Name + "." + called.Sel.Name
		allowed := slices.ContainsFunc(passesThrough, func(dir string) bool { return strings.HasPrefix(filepath.ToSlash(path), dir+"/") })
		if name == "os.Exit" || name == "kit.ExitCode" && !allowed {
			return fmt.Sprintf("%s ends the program with a code of its own", name)
		}
	}
	return ""
}
