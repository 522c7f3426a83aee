package host_test

import (
	"context"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/enginetest/script"
	"github.com/setopsco/setops/internal/engine/fake"
)

// deafOnce misses its first SIGTERM, as a program does that does not listen for signals yet.
func deafOnce(ctx context.Context, p script.Process) int {
	<-p.Signals
	select {
	case <-p.Signals:
	case <-ctx.Done():
	}
	return 0
}

func TestAProgramThatHasJustStartedHearsASecondSIGTERM(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("wait")
		b.runtime.SetImage(g.Container.Image.Digest, fake.Image{Program: deafOnce})
		b.ensure(g)
		pass(100 * time.Millisecond)
		begin := time.Now()
		if err := b.Remove(context.Background(), g.ID, 0); err != nil || time.Since(begin) != time.Second {
			t.Errorf("it took %s, %v", time.Since(begin), err)
		}
	})
}

func TestAProgramThatHasRunForAWhileGetsOneSIGTERM(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("wait")
		b.runtime.SetImage(g.Container.Image.Digest, fake.Image{Program: deafOnce})
		b.ensure(g)
		pass(5 * time.Second)
		begin := time.Now()
		if err := b.Remove(context.Background(), g.ID, 0); err != nil || time.Since(begin) != g.StopTimeout {
			t.Errorf("it took %s, %v", time.Since(begin), err)
		}
	})
}
