package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A unit is the sources in one directory: a package with its tests.
type unit struct {
	path  string // from the root of the module: internal/plan
	files []file
}

// A file is what the rules want to know of one source.
type file struct {
	path    string // from the root of the module
	pkg     string
	test    bool
	doc     string   // the package comment
	imports []string // ours from the root of the module, all others in full
	uses    []string // names of imported packages: time.Now
	funcs   []string // functions and methods with a body; methods as T.name
	lines   int      // with code on them
	marks   []string // words that say that something is unfinished, with their lines
}

// The words are put together so that this file does not contain them.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)

// load reads all packages below the root of a module as the go command sees them, but for every system at once.
func load(fsys fs.FS) ([]unit, error) {
	module, err := modulePath(fsys)
	if err != nil {
		return nil, err
	}
	units := map[string]*unit{}
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (ignored(d.Name()) || isModule(fsys, name)) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" || strings.HasPrefix(d.Name(), "_") || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		f, err := read(fsys, name, module)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if units[dir] == nil {
			units[dir] = &unit{path: dir}
		}
		units[dir].files = append(units[dir].files, f)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the sources: %w", err)
	}
	var list []unit
	for _, u := range units {
		list = append(list, *u)
	}
	slices.SortFunc(list, func(a, b unit) int { return strings.Compare(a.path, b.path) })
	return list, nil
}

func ignored(dir string) bool {
	return dir == "testdata" || dir == "vendor" || strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_")
}

// isModule tells directories with a go.mod: they are no part of the module around them.
func isModule(fsys fs.FS, dir string) bool {
	_, err := fs.Stat(fsys, path.Join(dir, "go.mod"))
	return err == nil
}

func modulePath(fsys fs.FS) (string, error) {
	mod, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return "", fmt.Errorf("read go.mod: %w", err)
	}
	for line := range strings.Lines(string(mod)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			return strings.TrimSpace(name), nil
		}
	}
	return "", fmt.Errorf("go.mod names no module")
}

func read(fsys fs.FS, name, module string) (file, error) {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return file{}, err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	f := file{path: name, pkg: tree.Name.Name, test: strings.HasSuffix(name, "_test.go"), lines: codeLines(src)}
	f.doc = tree.Doc.Text()
	f.marks = marks(src)
	f.readImports(tree, module)
	f.readFuncs(tree)
	return f, nil
}

// readImports fills imports, and uses by the names under which the file knows them.
func (f *file) readImports(tree *ast.File, module string) {
	known := map[string]string{}
	for _, spec := range tree.Imports {
		full, _ := strconv.Unquote(spec.Path.Value) // the parser accepted it
		name := path.Base(full)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		known[name] = full
		f.imports = append(f.imports, strings.TrimPrefix(full, module+"/"))
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && known[x.Name] != "" {
			f.uses = append(f.uses, known[x.Name]+"."+sel.Sel.Name)
		}
		return true
	})
}

func (f *file) readFuncs(tree *ast.File) {
	for _, d := range tree.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		name := fn.Name.Name
		if fn.Recv != nil {
			name = "T." + name
		}
		f.funcs = append(f.funcs, name)
	}
}

func marks(src []byte) []string {
	var found []string
	n := 0
	for line := range strings.Lines(string(src)) {
		n++
		if word := unfinished.FindString(line); word != "" {
			found = append(found, fmt.Sprintf("%d: %s", n, word))
		}
	}
	return found
}

// codeLines counts the lines that have more on them than a comment.
func codeLines(src []byte) int {
	set := token.NewFileSet()
	pos := set.AddFile("", set.Base(), len(src))
	var s scanner.Scanner
	s.Init(pos, src, nil, 0)
	lines := map[int]bool{}
	for {
		p, tok, lit := s.Scan()
		if tok == token.EOF {
			return len(lines)
		}
		if tok == token.SEMICOLON && lit == "\n" {
			continue
		}
		lines[pos.Line(p)] = true
	}
}
