package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Pushed is what a push has done.
type Pushed struct {
	Sent, There int   // layers that were sent, and that the registry had already
	Bytes       int64 // of the layers that were sent
}

// parallel is how many layers are sent at the same time.
const parallel = 4

// Push sends what the repository lacks of an image, and then its manifest. A layer that is there is not sent: neither twice nor
// again after a push that broke. progress is called with bytes that are there and that are to be there.
func Push(ctx context.Context, o Opened, t Target, progress func(done, total int64)) (Pushed, error) {
	ref, err := reference(o, t)
	if err != nil {
		return Pushed{}, err
	}
	counted, err := count(o.Image)
	if err != nil {
		return Pushed{}, err
	}
	total, err := counted.size()
	if err != nil {
		return Pushed{}, err
	}
	updates := make(chan v1.Update, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- remote.Write(ref, counted, append(t.options(),
			remote.WithContext(ctx), remote.WithProgress(updates), remote.WithJobs(parallel))...)
	}()
	for u := range updates { // Write closes it
		if u.Error == nil {
			progress(u.Complete, total) // its own total grows as it goes
		}
	}
	if err := <-ended; err != nil {
		return Pushed{}, refusal(ctx, t, err)
	}
	return counted.pushed(), nil
}

// reference is where an image is pushed to: to its tag, or else to its digest.
func reference(o Opened, t Target) (name.Reference, error) {
	repository, err := t.repository()
	if err != nil {
		return nil, err
	}
	if o.Tag != "" {
		return repository.Tag(o.Tag), nil
	}
	digest, err := o.Digest()
	if err != nil {
		return nil, fmt.Errorf("compute the image's digest: %w", err)
	}
	return repository.Digest(digest.String()), nil
}

// refusal says in the registry's words why it did not take the image.
func refusal(ctx context.Context, t Target, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var refused *transport.Error
	if errors.As(err, &refused) {
		return fmt.Errorf("%s does not take it: %s", t.Host, said(refused))
	}
	return fmt.Errorf("push to %s: %w", t.Host, err)
}

// counting is an image that knows which of its layers were read.
type counting struct {
	v1.Image
	layers []*countedLayer
}

type countedLayer struct {
	v1.Layer
	read atomic.Bool
}

func (l *countedLayer) Compressed() (io.ReadCloser, error) {
	l.read.Store(true)
	return l.Layer.Compressed()
}

func count(image v1.Image) (*counting, error) {
	layers, err := image.Layers()
	if err != nil {
		return nil, fmt.Errorf("read the image's layers: %w", err)
	}
	c := &counting{Image: image}
	for _, l := range layers {
		c.layers = append(c.layers, &countedLayer{Layer: l})
	}
	return c, nil
}

// Layers keeps layers of a registry such that another repository of the same one can take them without their being sent.
func (c *counting) Layers() ([]v1.Layer, error) {
	layers := make([]v1.Layer, 0, len(c.layers))
	for _, l := range c.layers {
		if there, ok := l.Layer.(*remote.MountableLayer); ok {
			layers = append(layers, &remote.MountableLayer{Layer: l, Reference: there.Reference})
			continue
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// size is what the registry has of the image in the end, in bytes.
func (c *counting) size() (int64, error) {
	manifest, err := c.Manifest()
	if err != nil {
		return 0, fmt.Errorf("read the image's manifest: %w", err)
	}
	total, err := c.Size() // of the manifest
	if err != nil {
		return 0, fmt.Errorf("read the size of the image's manifest: %w", err)
	}
	seen := map[v1.Hash]bool{}
	for _, part := range append(manifest.Layers, manifest.Config) {
		if !seen[part.Digest] {
			seen[part.Digest] = true
			total += part.Size
		}
	}
	return total, nil
}

func (c *counting) pushed() Pushed {
	var p Pushed
	for _, l := range c.layers {
		if !l.read.Load() {
			p.There++
			continue
		}
		p.Sent++
		if size, err := l.Size(); err == nil { // it was sent
			p.Bytes += size
		}
	}
	return p
}
