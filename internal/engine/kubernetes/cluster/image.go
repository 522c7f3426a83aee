package cluster

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// pauseImage is what containerd runs for each pod; it is on every node and pulled from nowhere.
const pauseImage = "setops.test/pause:1"

// Load gives every node the images of an archive, as docker save or skopeo write one, without a registry.
func (c *Cluster) Load(ctx context.Context, archive string) error {
	for i := 1; i <= c.Nodes; i++ {
		if err := c.load(ctx, i, archive); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) load(ctx context.Context, i int, archive string) error {
	if _, err := c.ctr(ctx, i, "images", "import", archive); err != nil {
		return fmt.Errorf("load %s into %s: %w", filepath.Base(archive), node(i), err)
	}
	return nil
}

// ctr asks the containerd of a node, of what Kubernetes runs.
func (c *Cluster) ctr(ctx context.Context, i int, argv ...string) (string, error) {
	program := filepath.Join(c.Programs, "ctr")
	return output(ctx, "", append([]string{program, "--address", c.socket(i), "--namespace", "k8s.io"}, argv...)...)
}

func (c *Cluster) loadPause(ctx context.Context, i int) error {
	archive := filepath.Join(c.dir, "pause.tar")
	if _, err := os.Stat(archive); err != nil {
		if err := WriteImage(archive, pauseImage, filepath.Join(c.Programs, "pause")); err != nil {
			return fmt.Errorf("make the image of pause: %w", err)
		}
	}
	return c.load(ctx, i, archive)
}

// WriteImage makes an archive with an image of one program.
func WriteImage(archive, tag, program string) error {
	binary, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	at := filepath.Base(program)
	if err := w.WriteHeader(&tar.Header{Name: at, Mode: 0o755, Size: int64(len(binary))}); err != nil {
		return err
	}
	if _, err := w.Write(binary); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		return err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.Entrypoint = []string{"/" + at}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return err
	}
	ref, err := name.NewTag(tag)
	if err != nil {
		return err
	}
	return tarball.WriteToFile(archive, ref, image)
}
