package fake_test

import (
	"fmt"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/setops"
)

func TestPrivateNamesAreRememberedThoughNobodyServesThem(t *testing.T) {
	e := newEngine(t, fake.Config{})
	set := []engine.Front{{Host: "db.staging.shop.localhost.internal", App: "db", Protocol: setops.TCP, Port: 5432}}
	if err := e.SetFronts(t.Context(), stage.ID, set); err != nil {
		t.Fatal(err)
	}
	if got := e.Runtime.Fronts(stage.ID); !slices.Equal(got, set) {
		t.Errorf("got %v", got)
	}
	if err := e.RemoveStage(t.Context(), stage.ID); err != nil {
		t.Fatal(err)
	}
	if got := e.Runtime.Fronts(stage.ID); got != nil {
		t.Errorf("got %v after the stage was removed", got)
	}
	want := fmt.Errorf("no room")
	e.Runtime.Fail("SetFronts", want)
	if err := e.SetFronts(t.Context(), stage.ID, set); err == nil {
		t.Error("the fault is not met")
	}
}

func TestAListenerOfAPrivateNameIsKeptAndClosed(t *testing.T) {
	served := make(chan net.Listener, 10)
	ended := make(chan string, 10)
	e := newEngine(t, fake.Config{Serve: func(_ string, f engine.Front, l net.Listener) {
		served <- l
		for {
			c, err := l.Accept()
			if err != nil {
				ended <- f.App
				return
			}
			fmt.Fprint(c, f.App)
			c.Close()
		}
	}})
	set := []engine.Front{{Host: "db.staging.shop.localhost.internal", App: "db", Protocol: setops.TCP, Port: 5432}}
	for range 2 {
		if err := e.SetFronts(t.Context(), stage.ID, set); err != nil {
			t.Fatal(err)
		}
	}
	l := <-served
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // a test's
	if said, err := io.ReadAll(c); err != nil || string(said) != "db" {
		t.Errorf("got %q, %v", said, err)
	}
	if err := e.SetFronts(t.Context(), stage.ID, nil); err != nil {
		t.Fatal(err)
	}
	if app := <-ended; app != "db" || len(served) != 0 {
		t.Errorf("%s ended, %d others were served", app, len(served))
	}
}
