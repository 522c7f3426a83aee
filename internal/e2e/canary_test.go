package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/cli"
)

// Canaries are random values that are put into environments, and looked for wherever they have no business. Every one has a mark in
// it, so that it is enough to look for marks.
const (
	openMark   = "OpenKanari7vu"   // of values that the commands documented to show values may show
	secretMark = "SecretKanari7vu" // of values that were set with --secret: nothing shows them
	// passwordMark is in the password of everybody in these tests.
	passwordMark = "password of "
)

// tokenMarks are how all tokens begin: of sessions, and of invitations.
var tokenMarks = []string{"sops_", "sopi_"}

// shortest is what is long enough to be no chance in any form.
const shortest = 8

func newCanary(mark string) string { return mark + strings.ToLower(rand.Text()) }

// shows are the commands that show ordinary values, on standard output.
var shows = []string{"env", "env:set", "app:info", "changeset:diff", "changeset:revert", "stage:dump", "stage:apply"}

// forms are the ways in which a text may be written: as it is, in hexadecimal, in base64 at any place of a longer text. What JSON or an
// URL escape is in none of them, as marks are letters, digits and blanks.
func forms(text string) [][]byte {
	if len(text) < shortest {
		return [][]byte{[]byte(text)}
	}
	all := [][]byte{[]byte(text), []byte(hex.EncodeToString([]byte(text))), []byte(strings.ToUpper(hex.EncodeToString([]byte(text))))}
	if strings.Contains(text, " ") {
		all = append(all, []byte(strings.ReplaceAll(text, " ", "+")), []byte(strings.ReplaceAll(text, " ", "%20")))
	}
	for shift := range 3 {
		const bits, letter = 8, 6
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + text))
		from := (shift*bits + letter - 1) / letter // those before hold a part of what stands in front
		all = append(all, []byte(encoded[from:len(encoded)-1]))
	}
	return all
}

// within gives the first of the texts that is in a text, in any form.
func within(text []byte, looked ...string) (string, bool) {
	for _, l := range looked {
		for _, form := range forms(l) {
			if at := bytes.Index(text, form); at >= 0 {
				return fmt.Sprintf("%q, as %q", l, text[at:min(len(text), at+len(form)+8)]), true
			}
		}
	}
	return "", false
}

// find looks for texts in all that the server has written: its log, its data directory and its database.
func (w *world) find(looked ...string) error {
	if found, ok := within([]byte(w.log.String()), looked...); ok {
		return fmt.Errorf("the server's log has %s", found)
	}
	read := 0
	err := filepath.WalkDir(w.config.DataDir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // the engine has put it in its place meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		read++
		if found, ok := within(text, looked...); ok {
			return fmt.Errorf("%s has %s", path, found)
		}
		return nil
	})
	if err == nil && read < 3 {
		err = fmt.Errorf("only %d files were there to look at", read)
	}
	if err != nil || w.config.Database == "" {
		return err
	}
	return findRow(w.config.Database, looked...)
}

// findRow looks for texts in all rows of a PostgreSQL database.
func findRow(url string, looked ...string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // it was only read
	var all sql.NullString
	err = db.QueryRow(`SELECT string_agg(table_name, ' ') FROM information_schema.tables WHERE table_schema = current_schema()`).Scan(&all)
	if err != nil || !strings.Contains(all.String, "commits") {
		return fmt.Errorf("list tables: %q, %w", all.String, err)
	}
	for name := range strings.FieldsSeq(all.String) {
		var text []byte
		if err := db.QueryRow(`SELECT COALESCE(string_agg(t::text, ' '), '') FROM "` + name + `" t`).Scan(&text); err != nil {
			return fmt.Errorf("read table %s: %w", name, err)
		}
		if found, ok := within(text, looked...); ok {
			return fmt.Errorf("a row of %s has %s", name, found)
		}
	}
	return nil
}

// leaks looks for canaries, passwords and tokens of a whole life of a server, in what it and setops have written.
func (w *world) leaks() error {
	looked := slices.Concat([]string{openMark, secretMark, passwordMark}, tokenMarks, w.tokens)
	errs := []error{w.find(looked...)}
	for _, said := range w.said {
		errs = append(errs, said.leaks())
	}
	return errors.Join(errs...)
}

// said is what a run of setops has printed.
type said struct {
	Args           []string
	Stdout, Stderr []byte
}

func (s said) leaks() error {
	looked := []string{secretMark, passwordMark}
	if !slices.ContainsFunc(s.Args, func(a string) bool { return slices.Contains(shows, a) }) {
		looked = append(looked, openMark)
	}
	if found, ok := within(s.Stdout, looked...); ok {
		return fmt.Errorf("setops %s prints %s", strings.Join(s.Args, " "), found)
	}
	if found, ok := within(s.Stderr, openMark, secretMark, passwordMark, tokenMarks[0]); ok {
		return fmt.Errorf("setops %s tells %s", strings.Join(s.Args, " "), found)
	}
	return nil
}

// saidDir is the variable that names the directory where setops, as scripts run it, keeps what it has said.
const saidDir = "SETOPS_E2E_SAID"

// saying runs setops and keeps what it prints.
func saying(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) (code int, s said) {
	var out, err bytes.Buffer
	code = cli.Main(ctx, args, environ, stdin, io.MultiWriter(stdout, &out), io.MultiWriter(stderr, &err))
	return code, said{args, out.Bytes(), err.Bytes()}
}

// keep writes what was said where hear finds it.
func (s said) keep(dir string) error {
	text, err := json.Marshal(s)
	if err != nil || dir == "" {
		return err
	}
	return os.WriteFile(filepath.Join(dir, rand.Text()), text, 0o600)
}

// hear reads what programs have kept.
func hear(dir string) (all []said, err error) {
	if dir == "" {
		return nil, nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	for _, file := range files {
		var s said
		text, read := os.ReadFile(file)
		err = errors.Join(err, read, json.Unmarshal(text, &s))
		all = append(all, s)
	}
	return all, err
}
