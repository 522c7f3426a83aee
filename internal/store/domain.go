package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/setopsco/setops/internal/setops"
)

// DomainOwner gives the stage and the app that have validated a domain; ok is false where nobody has.
func (s *Store) DomainOwner(ctx context.Context, name string) (stageID, app string, ok bool, err error) {
	ok, err = found(s.read.QueryRowContext(ctx, `SELECT stage_id, app FROM domains WHERE name = $1`, name).Scan(&stageID, &app))
	return stageID, app, ok, err
}

// saveDomains makes the table say who has validated what after a commit. Errors: ValidationFailed, taken, where an app of
// another stage has a domain.
func saveDomains(ctx context.Context, tx *sql.Tx, stageID string, before, after setops.Spec) error {
	had, has := validated(before), validated(after)
	for domain := range had { // what moves between two apps of the stage is free before it is taken
		if had[domain] == has[domain] {
			continue
		}
		if _, err := exec(ctx, tx, `DELETE FROM domains WHERE name = $1 AND stage_id = $2`, domain.name, stageID); err != nil {
			return fmt.Errorf("free domain %s: %w", domain.name, err)
		}
	}
	for domain := range has {
		if had[domain] == has[domain] {
			continue
		}
		_, err := exec(ctx, tx, `INSERT INTO domains (name, stage_id, app) VALUES ($1, $2, $3)`, domain.name, stageID, domain.app)
		if isTaken(err) {
			return setops.DomainTaken(domain.name)
		}
		if err != nil {
			return fmt.Errorf("take domain %s: %w", domain.name, err)
		}
	}
	return nil
}

type ownedDomain struct{ name, app string }

// validated is the set of the validated domains of a stage.
func validated(spec setops.Spec) map[ownedDomain]bool {
	all := map[ownedDomain]bool{}
	for name, app := range spec.Apps {
		for domain, d := range app.Domains {
			if d.Validated {
				all[ownedDomain{domain, name}] = true
			}
		}
	}
	return all
}
