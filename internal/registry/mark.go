package registry

import (
	"context"
	"errors"
	"fmt"
)

var (
	// ErrElsewhere says that a place has no images of this installation, which has some.
	ErrElsewhere = errors.New("there are no images of this installation; they are elsewhere")
	// ErrAnothers says that a place has images of another installation. Each would remove those of the other.
	ErrAnothers = errors.New("there are images of another installation")
)

const markFile = "/setops-installation"

// claim makes sure that what is here is of this installation.
func (r *Registry) claim(ctx context.Context) error {
	if r.config.Mark == "" {
		return nil
	}
	found, err := r.images.read(ctx, markFile)
	switch {
	case err != nil:
		return fmt.Errorf("read whose images these are: %w", err)
	case string(found) == r.config.Mark:
		return nil
	case len(found) > 0:
		return ErrAnothers
	case r.config.Marked:
		return ErrElsewhere
	}
	if err := r.images.PutContent(ctx, markFile, []byte(r.config.Mark)); err != nil {
		return fmt.Errorf("write whose images these are: %w", err)
	}
	return nil
}
