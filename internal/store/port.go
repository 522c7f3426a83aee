package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/setopsco/setops/internal/setops"
)

// ReservePort gives the router's port of a tcp app: the one that it has, or the lowest free one of low to high, which it
// keeps from then on. One outside that range, as of a server that was told another before, is given up for another.
// Errors: CommitFailed where all are taken.
func (s *Store) ReservePort(ctx context.Context, stageID, app string, low, high int) (port int, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		kept, err := found(tx.QueryRowContext(ctx, `SELECT port FROM tcp_ports WHERE stage_id = $1 AND app = $2`, stageID, app).Scan(&port))
		if err != nil || kept && low <= port && port <= high {
			return err
		}
		if port, err = freePort(ctx, tx, low, high); err != nil {
			return err
		}
		_, err = exec(ctx, tx, `INSERT INTO tcp_ports (port, stage_id, app) VALUES ($1, $2, $3)
			ON CONFLICT (stage_id, app) DO UPDATE SET port = excluded.port`, port, stageID, app)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reserve a port for app %s: %w", app, err)
	}
	return port, nil
}

func freePort(ctx context.Context, tx *sql.Tx, low, high int) (int, error) {
	taken, err := collect(ctx, tx, scanPort, `SELECT port FROM tcp_ports WHERE port BETWEEN $1 AND $2 ORDER BY port`, low, high)
	if err != nil {
		return 0, err
	}
	port := low
	for _, t := range taken {
		if t != port {
			break
		}
		port++
	}
	if port > high {
		return 0, setops.Refuse(setops.CommitFailed,
			"the server's TCP ports %d-%d are all taken; make another app private, or ask its operator for a wider --tcp-ports", low, high)
	}
	return port, nil
}

func scanPort(r *sql.Rows) (port int, err error) {
	err = r.Scan(&port)
	return port, err
}

// ReleasePort frees the port of an app, if it has one. Pass frees that of an app that it destroys.
func (s *Store) ReleasePort(ctx context.Context, stageID, app string) error {
	return s.change(ctx, func(tx *sql.Tx) error { return releasePort(ctx, tx, stageID, app) })
}

func releasePort(ctx context.Context, tx *sql.Tx, stageID, app string) error {
	if _, err := exec(ctx, tx, `DELETE FROM tcp_ports WHERE stage_id = $1 AND app = $2`, stageID, app); err != nil {
		return fmt.Errorf("release the port of app %s: %w", app, err)
	}
	return nil
}

// Ports gives the reserved ports of a stage by app.
func (s *Store) Ports(ctx context.Context, stageID string) (map[string]int, error) {
	ports := map[string]int{}
	_, err := collect(ctx, s.read, func(r *sql.Rows) (none struct{}, err error) {
		var app string
		var port int
		err = r.Scan(&app, &port)
		ports[app] = port
		return none, err
	}, `SELECT app, port FROM tcp_ports WHERE stage_id = $1`, stageID)
	return ports, err
}
