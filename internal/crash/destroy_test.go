//go:build linux

package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

func TestAServerKilledWhileAStageIsDestroyedGoesOnWithThat(t *testing.T) {
	onEachEngine(t, func(t *testing.T, engine string) {
		h := newHouse(t, engine, nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		answered := make(chan error, 1)
		go func() { answered <- h.client.DestroyStage(ctx, stageRef) }()
		h.await("the stage is being destroyed", func() error {
			_, err := h.client.StageCommands(ctx, stageRef, api.EnvSet{Name: "web", Key: "LATE", Value: "yes"})
			return unless(err, "ChangesetLocked", "StageDoesNotExist")
		})
		r := rand.New(rand.NewPCG(*seed, 3))
		time.Sleep(time.Duration(r.Int64N(int64(300 * time.Millisecond)))) // any moment will do
		h.kill()
		cancel()
		t.Log("who destroys is told: ", <-answered)

		h.start()
		h.await("the stage is gone, without anybody's help", func() error {
			_, err := h.client.Stage(t.Context(), stageRef)
			return unless(err, "StageDoesNotExist")
		})
		h.destroy()
	})
}

// unless gives nil for an error of the API with one of these codes.
func unless(err error, codes ...string) error {
	var refused *api.ServiceError
	for _, code := range codes {
		if errors.As(err, &refused) && refused.Code == code {
			return nil
		}
	}
	return fmt.Errorf("the answer is %v, not one of %q", err, codes)
}
