package cluster

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed files
var files embed.FS

// fill makes a file of a template.
func fill(name string, with any) ([]byte, error) {
	t, err := template.ParseFS(files, "files/"+name)
	if err != nil {
		return nil, fmt.Errorf("read the template %s: %w", name, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, with); err != nil {
		return nil, fmt.Errorf("fill the template %s: %w", name, err)
	}
	return b.Bytes(), nil
}

func (c *Cluster) applyTemplate(ctx context.Context, name string, with any) error {
	text, err := fill(name, with)
	if err != nil {
		return err
	}
	return c.apply(ctx, text)
}

// applyFile applies one of what build has collected.
func (c *Cluster) applyFile(ctx context.Context, name string) error {
	text, err := os.ReadFile(filepath.Join(c.Programs, name))
	if err != nil {
		return err
	}
	if err := c.apply(ctx, text); err != nil {
		return fmt.Errorf("apply %s: %w", name, err)
	}
	return nil
}

func (c *Cluster) apply(ctx context.Context, text []byte) error {
	_, err := c.kubectl(ctx, text, "apply", "--server-side", "--force-conflicts", "-f", "-")
	return err
}

// kubectl calls it as the administrator, with an input where there is one.
func (c *Cluster) kubectl(ctx context.Context, input []byte, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.Kubectl(), append([]string{"--kubeconfig=" + c.Kubeconfig()}, args...)...)
	var out, errors bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &errors
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", args[0], err, strings.TrimSpace(errors.String()))
	}
	return strings.TrimSpace(out.String()), nil
}
