package kit

import "github.com/spf13/cobra"

// Similar gives the first of names that is spelled nearly like one, by the rule that commands are found by; empty if none is.
func Similar(names []string, one string) string {
	nobody := func(*cobra.Command, []string) {}
	parent := &cobra.Command{SuggestionsMinimumDistance: 3}
	for _, n := range names {
		parent.AddCommand(&cobra.Command{Use: n, Run: nobody})
	}
	if similar := parent.SuggestionsFor(one); len(similar) > 0 {
		return similar[0]
	}
	return ""
}
