package kit

import (
	"context"
	"time"

	"github.com/setopsco/setops/internal/cli/config"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// StoreSession keeps a session at the server at address, in place of the one that is stored. It waits for other processes
// of the user that renew that.
func (k *Kit) StoreSession(ctx context.Context, path, address string, s api.Session) error {
	return change(ctx, path, append(tokenPairs(s),
		config.Pair{Key: "url", Value: address},
		config.Pair{Key: "organization", Value: s.Organization},
		config.Pair{Key: "email", Value: s.Email},
		config.Pair{Key: "issuer", Value: client.Origin(address)},
	))
}

// ForgetSession removes the session that is stored.
func (k *Kit) ForgetSession(ctx context.Context, path string) error {
	return change(ctx, path, []config.Pair{{Key: "token"}, {Key: "refresh_token"}, {Key: "issuer"}, {Key: "expires_at"}})
}

func change(ctx context.Context, path string, pairs []config.Pair) error {
	if path == "" {
		return config.Store(path) // which says so
	}
	return config.Locked(ctx, path, func() error { return config.Store(path, pairs...) })
}

// tokenPairs are what changes of a session that is renewed.
func tokenPairs(s api.Session) []config.Pair {
	return []config.Pair{
		{Key: "token", Value: s.Token},
		{Key: "refresh_token", Value: s.RefreshToken},
		{Key: "expires_at", Value: s.ExpiresAt.UTC().Format(time.RFC3339)},
	}
}
