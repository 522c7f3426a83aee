//go:build !chaos

package daemon

import "github.com/setopsco/setops/internal/commit"

// storeOfCommits is the store as it is. The kill matrix of package crash builds the server with another: see chaos.go.
func (c *core) storeOfCommits() commit.Store { return c.store }
