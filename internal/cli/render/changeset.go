package render

import (
	"fmt"
	"io"
	"strconv"

	"github.com/setopsco/setops/pkg/api"
)

// Changeset prints when a changeset was begun and the commands in it.
func Changeset(w io.Writer, c api.Changeset) error { return changeset(w, c, Commands) }

// NumberedChangeset is Changeset with the numbers that changeset:remove takes.
func NumberedChangeset(w io.Writer, c api.Changeset) error { return changeset(w, c, numberedCommands) }

func changeset(w io.Writer, c api.Changeset, commands func(io.Writer, []api.StagedCommand) error) error {
	if err := new(Block).Add("Created At", Time(c.CreatedAt)).Write(w); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return commands(w, c.Commands)
}

// Commands prints staged commands as a table.
func Commands(w io.Writer, commands []api.StagedCommand) error {
	rows := make([][]string, 0, len(commands))
	for _, c := range commands {
		rows = append(rows, []string{c.Name, MapLines(c.Arguments)})
	}
	return Table(w, []string{"Name", "Arguments"}, rows)
}

func numberedCommands(w io.Writer, commands []api.StagedCommand) error {
	rows := make([][]string, 0, len(commands))
	for i, c := range commands {
		rows = append(rows, []string{strconv.Itoa(i + 1), c.Name, MapLines(c.Arguments)})
	}
	return Table(w, []string{"#", "Name", "Arguments"}, rows)
}
