package root

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// arrange rewrites a command line into the one form that the parser knows: the command first, spelled with colons. So
//
//	--force stage destroy x   is   stage:destroy --force x
//	app list                  is   app
//	app log show web          is   log --app web
//
// Flags may stand anywhere before `--`; what follows it is never touched. A line without a known command is left as it
// is, for the parser to complain about. Of a line that a shell wants to have completed, the last word is left where it is.
func arrange(root *cobra.Command, args []string) []string {
	if n := len(args); n > 1 && strings.HasPrefix(args[0], "__complete") {
		return slices.Concat(args[:1], begun(root, args[1:n-1]), args[n-1:])
	}
	flags, rest := args, []string(nil)
	if end := slices.Index(args, "--"); end >= 0 {
		flags, rest = args[:end], args[end:]
	}
	command, at := read(root, flags)
	if len(at) == 0 {
		return args
	}
	arranged := command
	for i, a := range flags {
		if !slices.Contains(at, i) {
			arranged = append(arranged, a)
		}
	}
	return append(arranged, rest...)
}

// begun arranges the words before the one that is completed. Where the command is still to come, flags are left out that only
// it has: cobra would not complete behind them.
func begun(root *cobra.Command, words []string) []string {
	valued, _ := flagNames(root)
	if _, at := read(root, words); len(at) > 0 || slices.Contains(words, "--") {
		return arrange(root, words)
	}
	var kept []string
	for i := 0; i < len(words); i++ {
		name, _, _ := strings.Cut(strings.TrimPrefix(words[i], "--"), "=")
		last := i + 1
		if awaitsValue(words[i], valued) && last < len(words) {
			last++
		}
		if !strings.HasPrefix(words[i], "--") || root.PersistentFlags().Lookup(name) != nil {
			kept = append(kept, words[i:last]...)
		}
		i = last - 1
	}
	return kept
}

// read finds the command of a line and the positions of the words that name it; none where there is no command. A flag that
// takes a value with one command and stands alone with another, as --before does, is read as the command has it that this
// leads to.
func read(root *cobra.Command, line []string) (command []string, at []int) {
	valued, alone := flagNames(root)
	valuedOnly := maps.Clone(valued)
	maps.DeleteFunc(valuedOnly, func(name string, _ bool) bool { return alone[name] })
	for _, takesValue := range []map[string]bool{valued, valuedOnly} {
		found := words(line, takesValue)
		name, used := match(root, pick(line, found))
		switch {
		case used == 0:
		case hasFlags(root, name[0], line, takesValue):
			return name, found[:used]
		case at == nil:
			command, at = name, found[:used]
		}
	}
	return command, at
}

// hasFlags reports whether a command has the flags of a line that could be either as they were read.
func hasFlags(root *cobra.Command, name string, line []string, takesValue map[string]bool) bool {
	valued, alone := flagNames(root)
	i := slices.IndexFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == name })
	if i < 0 {
		return true
	}
	itsValued, itsAlone := flagNames(root.Commands()[i])
	return !slices.ContainsFunc(line, func(a string) bool {
		flag, long := strings.CutPrefix(a, "--")
		either := long && valued[flag] && alone[flag]
		return either && (takesValue[flag] && !itsValued[flag] || !takesValue[flag] && !itsAlone[flag])
	})
}

// match finds the command that the first words name: its arguments in the one known form, and how many words it took.
func match(root *cobra.Command, w []string) ([]string, int) {
	if len(w) >= 4 && w[0] == "app" && w[1] == "log" && w[2] == "show" {
		return []string{"log", "--app", w[3]}, 4
	}
	if len(w) >= 1 && w[0] == "help" {
		topic, used := match(root, w[1:])
		return append([]string{"help"}, topic...), used + 1
	}
	if len(w) >= 2 && isCommand(root, w[0]+":"+w[1]) {
		return []string{w[0] + ":" + w[1]}, 2
	}
	if len(w) >= 2 && w[1] == "list" && isCommand(root, w[0]) && !takes(root, w[0], "list") {
		return w[:1:1], 2
	}
	if len(w) >= 1 && isCommand(root, w[0]) {
		return w[:1:1], 1
	}
	return nil, 0
}

func isCommand(root *cobra.Command, name string) bool {
	return slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == name })
}

// takes says whether a command has a use of its own for a word.
func takes(root *cobra.Command, name, word string) bool {
	return slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool {
		return c.Name() == name && slices.Contains(c.ValidArgs, word)
	})
}

func pick(args []string, at []int) []string {
	picked := make([]string, 0, len(at))
	for _, i := range at {
		picked = append(picked, args[i])
	}
	return picked
}

// words gives the positions of the arguments that are neither flags nor values of flags.
func words(args []string, takesValue map[string]bool) []int {
	var at []int
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case !strings.HasPrefix(a, "-") || a == "-":
			at = append(at, i)
		case awaitsValue(a, takesValue):
			i++
		}
	}
	return at
}

// awaitsValue says whether the argument after a flag is its value. A flag that no command has is taken for one that
// stands alone.
func awaitsValue(flag string, takesValue map[string]bool) bool {
	if strings.Contains(flag, "=") {
		return false
	}
	if name, long := strings.CutPrefix(flag, "--"); long {
		return takesValue[name]
	}
	short := strings.TrimPrefix(flag, "-")
	for i := range len(short) { // of -fn 10 the last letter awaits a value, of -n10 none does
		if takesValue[short[i:i+1]] {
			return i == len(short)-1
		}
	}
	return false
}

// flagNames are the names and letters of all flags of a command and those below it: of flags that take a value, and of flags
// that stand alone.
func flagNames(cmd *cobra.Command) (valued, alone map[string]bool) {
	valued, alone = map[string]bool{}, map[string]bool{}
	add := func(f *pflag.Flag) {
		names := valued
		if f.NoOptDefVal != "" {
			names = alone
		}
		names[f.Name] = true
		if f.Shorthand != "" {
			names[f.Shorthand] = true
		}
	}
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		c.PersistentFlags().VisitAll(add)
		c.Flags().VisitAll(add)
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(cmd)
	return valued, alone
}
