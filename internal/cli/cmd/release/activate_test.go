package release

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/setopsco/setops/internal/cli/kit"
)

// activate gives what a line means.
func activate(t *testing.T, args ...string) (*activateOptions, error) {
	t.Helper()
	k := kit.New(kit.Streams{Out: io.Discard, Err: io.Discard}, func(string) string { return "" }, "test")
	var got *activateOptions
	cmd := newActivate(k, func(_ context.Context, o *activateOptions) error {
		got = o
		return nil
	})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err := cmd.Execute()
	return got, err
}

func TestWhatRunsBeforeIsTakenAsItIs(t *testing.T) {
	for _, args := range [][]string{
		{"3", "--before", "--", "rake", "--before", "a b", ""},
		{"--before", "3", "--", "rake", "--before", "a b", ""},
	} {
		got, err := activate(t, args...)
		if err != nil || got.id != 3 || !slices.Equal(got.before, []string{"rake", "--before", "a b", ""}) {
			t.Errorf("%q: %+v, %v", args, got, err)
		}
	}
	if got, err := activate(t, "3"); err != nil || got.id != 3 || got.before != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestALineThatSaysHalfOfItIsRefusedWithTheWholeOne(t *testing.T) {
	const whole = "Type `setops release:activate 3 --before -- ARGV`."
	for _, test := range []struct {
		args    []string
		message string
	}{
		{[]string{"3", "--before"}, "--before needs the words of a command behind `--`."},
		{[]string{"3", "--before", "--"}, "--before needs the words of a command behind `--`."},
		{[]string{"3", "--before", "rake"}, "What --before runs is given behind `--`."},
		{[]string{"3", "--", "rake"}, "What follows `--` is run only with --before."},
		{[]string{"3", "--"}, "What follows `--` is run only with --before."},
	} {
		got, err := activate(t, test.args...)
		var usage *kit.Usage
		if got != nil || !errors.As(err, &usage) || usage.Message != test.message || usage.Next != whole {
			t.Errorf("%q: %+v, %v", test.args, got, err)
		}
	}
	for _, args := range [][]string{{"--before", "--", "rake"}, {"3", "4", "--before", "--", "rake"}, {"x"}} {
		if got, err := activate(t, args...); got != nil || err == nil {
			t.Errorf("%q: %+v", args, got)
		}
	}
}
