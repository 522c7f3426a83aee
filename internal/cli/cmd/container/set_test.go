package container

import (
	"context"
	"io"
	"reflect"
	"testing"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
)

// set gives what a command line of container:set would stage.
func set(t *testing.T, args ...string) api.ContainerSet {
	t.Helper()
	k := kit.New(kit.Streams{Out: io.Discard, Err: io.Discard}, func(string) string { return "" }, "test")
	var got api.ContainerSet
	cmd := newSet(k, func(_ context.Context, o *setOptions) error {
		got = o.container
		return nil
	})
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAHealthCheckSendsOnlyTheNumbersThatAreGiven(t *testing.T) {
	zero, interval := 0, 10 // the default, but said
	got := set(t, "health-check", "--interval", "10", "--start-period", "0", "--", "curl", "-f", "x")
	want := &api.HealthCheckPatch{Command: []string{"curl", "-f", "x"}, Interval: &interval, StartPeriod: &zero}
	if !reflect.DeepEqual(got.HealthCheck, want) {
		t.Errorf("%+v, want %+v", got.HealthCheck, want)
	}
}

func TestACommandIsKeptAsItIsGiven(t *testing.T) {
	for _, argv := range [][]string{{"puma", "-b", "tcp://0.0.0.0:1"}, {"sh", "-c", "a  b", ""}, {"one with blanks"}} {
		if got := set(t, append([]string{"command", "--"}, argv...)...); !reflect.DeepEqual(got.Command, argv) {
			t.Errorf("%q, want %q", got.Command, argv)
		}
	}
}
