package render

import (
	"fmt"
	"io"

	"github.com/setopsco/setops/pkg/api"
)

// Changeset prints when a changeset was begun and the commands in it.
func Changeset(w io.Writer, c api.Changeset) error {
	if err := new(Block).Add("Created At", Time(c.CreatedAt)).Write(w); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	rows := make([][]string, 0, len(c.Commands))
	for _, command := range c.Commands {
		rows = append(rows, []string{command.Name, MapLines(command.Arguments)})
	}
	return Table(w, []string{"Name", "Arguments"}, rows)
}
