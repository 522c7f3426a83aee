package host_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/setopsco/setops/internal/engine"
)

func TestImagesThatAreForgottenLeaveTheRuntime(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		one := engine.Image{Repository: "demo/shop/staging/web", Digest: "sha256:1"}
		two := engine.Image{Repository: "demo/shop/staging/web", Digest: "sha256:2"}
		other := engine.Image{Repository: "demo/shop/staging/worker", Digest: "sha256:1"}
		for _, i := range []engine.Image{one, two, other} {
			if err := b.Prepare(context.Background(), i); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.ForgetImages(context.Background(), []engine.Image{one, two, one}); err != nil {
			t.Error(err)
		}
		if left := b.runtime.Prepared(); !slices.Equal(left, []engine.Image{other}) {
			t.Errorf("left: %v", left)
		}
		broken := errors.New("the disk is broken")
		b.runtime.Fail("RemoveImage", broken)
		if err := b.ForgetImages(context.Background(), []engine.Image{other}); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
}
