// Command write writes the generated pages into docs, from the root of the module: see package manual. With -promise it also keeps
// the API as it is now as what later versions must not break, which is done at each release.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/setopsco/setops/internal/manual"
)

func main() {
	promise := flag.Bool("promise", false, "keep the API as what a release promises")
	flag.Parse()
	if err := write(*promise); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(promise bool) error {
	pages, err := manual.Pages()
	if err != nil {
		return err
	}
	if promise {
		pages[manual.Promised] = pages["api/openapi.json"]
	}
	for _, dir := range manual.Directories {
		if err := os.RemoveAll(filepath.Join("docs", dir)); err != nil {
			return err
		}
	}
	for name, text := range pages {
		path := filepath.Join("docs", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
