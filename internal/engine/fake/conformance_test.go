package fake_test

import (
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/enginetest"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/engine/host"
)

func TestTheFakePassesTheSuite(t *testing.T) {
	runtimes := map[string]*fake.Runtime{} // by directory, as the containers of a host
	enginetest.Run(t, enginetest.Harness{
		New: func(t *testing.T, dir string, d engine.Drainer, serve engine.Serve) engine.Engine {
			r := runtimes[dir]
			if r == nil {
				r = fake.NewRuntime()
				r.SetImage("sha256:foreign", fake.Image{PrepareErr: &host.ImageError{Reason: "it is for arm64"}})
				runtimes[dir] = r
				t.Cleanup(func() {
					if err := r.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			e, err := fake.New(t.Context(), fake.Config{Dir: dir, Runtime: r, Drainer: d, Serve: serve})
			if err != nil {
				t.Fatal(err)
			}
			return e
		},
		Image:   engine.Image{Repository: "demo/suite/stage/web", Digest: "sha256:testapp"},
		Foreign: engine.Image{Repository: "demo/suite/stage/web", Digest: "sha256:foreign"},
		Proven:  50 * time.Millisecond,

		Fronts:    true,
		SeesPorts: true,
	})
}
