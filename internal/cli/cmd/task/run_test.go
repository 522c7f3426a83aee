package task

import (
	"context"
	"io"
	"reflect"
	"testing"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
)

func TestWhatFollowsTheDashesIsTheTasksOwn(t *testing.T) {
	k := kit.New(kit.Streams{Out: io.Discard, Err: io.Discard}, func(string) string { return "" }, "test")
	var got *runOptions
	cmd := newRun(k, func(_ context.Context, o *runOptions) error {
		got = o
		return nil
	})
	cmd.SetArgs([]string{"--release", "1", "--cpu=256", "--entrypoint", "/bin/bash,-c", "--detach", "--", "echo", "--cpu", "a b", ""})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	want := api.RunTask{Arguments: []string{"echo", "--cpu", "a b", ""}, Entrypoint: []string{"/bin/bash", "-c"}, Release: 1, CPU: 256}
	if !reflect.DeepEqual(got.task, want) || !got.detach {
		t.Errorf("%+v, want %+v", got, want)
	}
}
