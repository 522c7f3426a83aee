package httpapi

import "testing"

func TestOfACommandLineOnlyAPlainNameIsKept(t *testing.T) {
	for _, test := range []struct {
		argv []string
		want string
	}{
		{nil, "the app's own program"},
		{[]string{"/usr/bin/psql", "--password", "hunter2"}, "/usr/bin/psql"},
		{[]string{"PGPASSWORD=hunter2 psql"}, "a command line"},
		{[]string{"PGPASSWORD=hunter2", "psql"}, "a command line"},
	} {
		if got := programIn(test.argv); got != test.want {
			t.Errorf("%q: got %q, want %q", test.argv, got, test.want)
		}
	}
}
