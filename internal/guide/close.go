package guide

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// closeLimit is more than a stage needs to end its tasks.
const closeLimit = 3 * time.Minute

// Close ends what a guide has left running, stops the server and removes what it made. It is an error if anything of
// it is left on the machine; then the directory stays, so that one can look.
func (p *Player) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	var all []error
	if p.server != nil {
		all = append(all, p.destroy(ctx), p.server.stop())
		p.server = nil
	}
	if left := traces(p.data(), p.cfg.Programs); len(left) > 0 {
		all = append(all, fmt.Errorf("left behind, see %s:\n  %s", p.dir, strings.Join(left, "\n  ")))
	}
	if err := errors.Join(all...); err != nil {
		return err
	}
	if err := os.RemoveAll(p.dir); err != nil {
		return fmt.Errorf("remove directory of the guide: %w", err)
	}
	return nil
}

// destroy ends the projects that are still there: a guide may have ended in its middle.
func (p *Player) destroy(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(p.home(), ".setops.yml")); err != nil {
		return nil // nobody ever signed in
	}
	var listed bytes.Buffer
	if code, err := p.run(ctx, "setops login:info >/dev/null 2>&1 && setops -o plain project", &listed); err != nil || code != 0 {
		return err // the guide signed out, so it came to its end
	}
	var all []error
	for _, project := range strings.Fields(listed.String()) {
		code, err := p.run(ctx, "setops project:destroy --force "+project, io.Discard)
		if err == nil && code != 0 {
			err = fmt.Errorf("destroy project %s: exit code %d", project, code)
		}
		all = append(all, err)
	}
	return errors.Join(all...)
}
