//go:build linux

package crash

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"

	_ "modernc.org/sqlite" // the file is read while the server has it open
)

// orphans are rows that must not be there when nothing goes on, each as a query that counts them.
var orphans = map[string]string{
	"generations that do not serve": `SELECT count(*) FROM generations WHERE state <> 'serving'`,
	"generations of no app":         `SELECT count(*) FROM generations g WHERE NOT EXISTS (SELECT 1 FROM apps a WHERE a.stage_id = g.stage_id AND a.name = g.app)`,
	"commits that have not ended":   `SELECT count(*) FROM commits WHERE state IN ('queued', 'running')`,
	"commits that are between":      `SELECT count(*) FROM commits WHERE passed <> (state = 'done')`,
	"steps of a commit left to do":  `SELECT count(*) FROM steps s JOIN commits c ON c.id = s.commit_id WHERE c.state = 'done' AND s.state <> 'done'`,
	"steps that seem to run":        `SELECT count(*) FROM steps WHERE state = 'running'`,
	"frozen changesets":             `SELECT count(*) FROM changesets WHERE frozen`,
	"commands of no changeset":      `SELECT count(*) FROM commands c WHERE NOT EXISTS (SELECT 1 FROM changesets s WHERE s.id = c.changeset_id)`,
	"releases of no app":            `SELECT count(*) FROM releases r WHERE NOT EXISTS (SELECT 1 FROM apps a WHERE a.stage_id = r.stage_id AND a.name = r.app)`,
	"ports of no app":               `SELECT count(*) FROM tcp_ports p WHERE NOT EXISTS (SELECT 1 FROM apps a WHERE a.stage_id = p.stage_id AND a.name = p.app)`,
}

// rowsAre looks into the database.
func (m *matrix) rowsAre(s *side) error {
	for what, query := range orphans {
		if n := m.column(query); n[0] != "0" {
			return fmt.Errorf("%s: %s", what, n[0])
		}
	}
	if ports := m.column(`SELECT app FROM tcp_ports ORDER BY app`); !slices.Equal(ports, s.ports) {
		return fmt.Errorf("ports are reserved for %v", ports)
	}
	withTasks := slices.DeleteFunc(slices.Sorted(maps.Keys(s.tasks)), func(app string) bool { return s.tasks[app] == 0 })
	if serving := m.column(`SELECT app FROM generations ORDER BY app`); !slices.Equal(serving, withTasks) {
		return fmt.Errorf("there are generations of %v", serving)
	}
	return nil
}

// column gives what a query gives of one column.
func (m *matrix) column(query string) (all []string) {
	m.t.Helper()
	db, err := sql.Open("sqlite", "file:"+m.data("setops.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	must(m.t, err)
	defer db.Close() //nolint:errcheck // it was only read
	rows, err := db.QueryContext(m.t.Context(), query)
	must(m.t, err)
	defer rows.Close() //nolint:errcheck // its errors are those of Err
	for rows.Next() {
		var value string
		must(m.t, rows.Scan(&value))
		all = append(all, value)
	}
	must(m.t, rows.Err())
	return all
}
