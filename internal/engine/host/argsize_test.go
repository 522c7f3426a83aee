package host

import (
	"errors"
	"strings"
	"testing"
)

func TestWhatIsTooLargeForTheKernelIsRefusedByName(t *testing.T) {
	const room = 1 << 20
	secret := func(n int) string { return strings.Repeat("s3cret", n/6+1)[:n] }
	many := make([]string, 0, 20)
	for range cap(many) {
		many = append(many, "X="+secret(60_000))
	}
	for name, test := range map[string]struct {
		args, env []string
		want      string
	}{
		"variable": {
			nil,
			[]string{"SMALL=1", "LARGE=" + secret(200_000)},
			`the environment of the app is too large: "LARGE" has 200006 bytes with its name, at most 131071 are possible`,
		},
		"argument": {
			[]string{"/app", secret(131_072)},
			nil,
			"the arguments of the app are too large: number 1 of the command has 131072 bytes, at most 131071 are possible",
		},
		"all": {
			[]string{"/app"},
			append(many, "MOST="+secret(70_000)),
			`the environment and the arguments of the app are too large: together they need 1270247 bytes, at most 1048576 are possible here; ` +
				`the largest variable is "MOST" with 70005 bytes`,
		},
	} {
		err := CheckSize(test.args, test.env, room)
		var refused *StartError
		if !errors.As(err, &refused) || refused.Reason != test.want {
			t.Errorf("%s: the error is %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: a value is shown", name)
		}
	}
	if err := CheckSize([]string{secret(131_071)}, []string{"A=" + secret(131_069)}, room); err != nil {
		t.Error(err)
	}
}
