package root

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write the golden help anew")

func tree(out io.Writer) *cobra.Command {
	return New(kit.New(kit.Streams{Out: out, Err: out}, func(string) string { return "" }, "test"))
}

// every calls visit with each command and topic.
func every(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		every(sub, visit)
	}
}

func TestHelpOfEveryCommandIsAsReviewed(t *testing.T) {
	const file = "testdata/help.txt"
	var all strings.Builder
	every(tree(io.Discard), func(cmd *cobra.Command) {
		var out bytes.Buffer
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		if isTopic(cmd) {
			args = []string{"help", cmd.Name()}
		}
		if err := Execute(t.Context(), tree(&out), args); err != nil {
			t.Errorf("%q: %v", args, err)
		}
		fmt.Fprintf(&all, "$ setops %s\n%s\n", strings.Join(args, " "), out.String())
	})
	if *update {
		if err := os.WriteFile(file, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if all.String() != string(want) {
		t.Errorf("help differs from %s; look at it and write it anew with -update", file)
	}
}

func TestEveryCommandIsDescribedAsTheHouseWantsIt(t *testing.T) {
	every(tree(io.Discard), func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if n := len([]rune(cmd.Short)); n == 0 || n > 60 {
			t.Errorf("%s: Short has %d characters, want 1 to 60", path, n)
		}
		if strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: Short ends with a full stop", path)
		}
		if !isTopic(cmd) && cmd.Parent() == cmd.Root() && !cmd.HasExample() {
			t.Errorf("%s: there is no example", path)
		}
		for line := range strings.Lines(screen(cmd)) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 150 {
				t.Errorf("%s: a line of help has %d characters: %s", path, n, line)
			}
		}
	})
}
