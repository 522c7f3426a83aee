package guide

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
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
	names, err := p.projects(ctx)
	if err != nil {
		return err
	}
	var all []error
	for _, name := range names {
		code, err := p.run(ctx, "setops project:destroy --force "+name, io.Discard)
		if err == nil && code != 0 {
			err = fmt.Errorf("exit code %d", code)
		}
		if err != nil {
			all = append(all, fmt.Errorf("destroy project %s: %w", name, err))
		}
	}
	return errors.Join(all...)
}

// projects gives none where nobody is signed in: not yet, or not any more, as at the end of a guide.
func (p *Player) projects(ctx context.Context) ([]string, error) {
	if code, err := p.run(ctx, "setops login:info", io.Discard); err != nil || code != 0 {
		return nil, err
	}
	var listed bytes.Buffer
	code, err := p.run(ctx, "setops project --output json", &listed)
	if err == nil && code != 0 {
		err = fmt.Errorf("exit code %d: %s", code, &listed)
	}
	var list struct{ Projects []struct{ Name string } }
	if err == nil {
		err = json.Unmarshal(listed.Bytes(), &list)
	}
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	names := make([]string, len(list.Projects))
	for i, project := range list.Projects {
		names[i] = project.Name
	}
	return names, nil
}
