package daemon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/setopsco/setops/internal/certs"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
)

// rotation is a change of the key of an installation whose servers are all stopped:
//
//	key.new is written → one transaction seals everything with it → key.new becomes key
//
// Breaks it off before the end of the transaction, nothing has happened; behind it, the next start or the next try ends it.
type rotation struct {
	*core
	newKeyFile string // of the operator; empty: a key is made
	out        io.Writer
}

// newRotateKey changes the key that seals values.
func newRotateKey(getenv func(string) string, stdout, stderr io.Writer) *cobra.Command {
	var newKey string
	cmd := &cobra.Command{
		Use:   "rotate-key",
		Short: "Seal all values with a new key",
		Long: "Seal all values of the database with a new key, those of the history too: values of env, certificates and what else is\n" +
			"sealed. Stop the server first, all of them where there are several; tasks go on, and none is started anew by it. It can be\n" +
			"broken off at any moment: type it again, or start the server, and it is as if it had not begun or is completed.\n\n" +
			"The new key is made and takes the place of the file key in the data directory, which is kept as key.old: backups of before\n" +
			"need it. With --new-key-file it is one that you have made; serve needs --key-file with that from then on.",
		Example: "  setopsd rotate-key --data-dir /var/lib/setops\n" +
			"  (umask 077; openssl rand -hex 32 > /etc/setops/key-2) && setopsd rotate-key --key-file /etc/setops/key --new-key-file /etc/setops/key-2",
		Args: cobra.NoArgs,
	}
	c, fill := withSettings(cmd, getenv, "data-dir", "database", "key-file")
	cmd.Flags().StringVar(&newKey, "new-key-file", "", "file with the new key: 32 bytes in hexadecimal, mode 0600 (default: one is made)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := fill(); err != nil {
			return err
		}
		if err := c.check(); err != nil {
			return err
		}
		log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
		r := rotation{core: newCore(&Daemon{Config: *c, Out: stdout, Logger: log}), newKeyFile: newKey, out: stdout}
		return errors.Join(r.run(cmd.Context()), r.closeAll())
	}
	return cmd
}

func (r *rotation) run(ctx context.Context) error {
	if r.Config.KeyFile != "" && r.newKeyFile == "" {
		return errors.New("the key is your own, of --key-file, so make the new one, too, and name it with --new-key-file")
	}
	if err := r.openAlone(ctx); err != nil {
		return err
	}
	fresh, err := r.freshKey()
	if err != nil {
		return err
	}
	installed, err := r.store.Installation(ctx)
	if err != nil {
		return err
	}
	done := installed[keyCheck] == checkOf(fresh)
	if !done {
		if err := r.proveKey(ctx); err != nil {
			return err
		}
		box, err := seal.New(fresh)
		if err != nil {
			return err
		}
		if err := r.store.Reseal(ctx, resealing(r.box, box, checkOf(fresh))); err != nil {
			return err
		}
	}
	if err := r.take(); err != nil {
		return err
	}
	if err := r.store.Compact(ctx); err != nil {
		return err
	}
	return r.tell()
}

// openAlone opens data directory and database, and makes sure that no server has them.
func (r *rotation) openAlone(ctx context.Context) error {
	there, err := hasInstallation(r.Config.DataDir)
	if err != nil {
		return err
	}
	elsewhere := r.Config.Database != "" && r.Config.KeyFile != "" // a server of a cluster may have nothing in its directory
	if !there && !elsewhere {
		return fmt.Errorf("there is no installation in %s; name its directory with --data-dir", r.Config.DataDir)
	}
	if err := r.lock(ctx); err != nil {
		return err
	}
	alone, err := r.dir.excludeOthers()
	if err != nil {
		return err
	}
	r.onClose(alone)
	if r.Config.Database == "" {
		return r.openSQLite(ctx)
	}
	if err := r.openPostgres(ctx); err != nil {
		return err
	}
	return r.excludeServers(ctx, there)
}

// excludeServers makes sure that no server of a cluster has the database, and that none gets to until this one ends: it takes the place of
// the one that kept the tasks. Where one lives, it has said so before it could be taken for gone.
func (r *rotation) excludeServers(ctx context.Context, there bool) error {
	installed, err := r.store.Installation(ctx)
	switch {
	case err != nil:
		return err
	case !there && installed[keyCheck] == "":
		return errors.New("there is no installation in the database; name its own with --database")
	case installed[installedInstance] == "":
		return nil // its servers share the directory
	}
	r.Config.Engine, r.instance = kubernetesKind, installed[installedInstance]
	has, there, err := r.store.Keeper(ctx)
	if err != nil {
		return err
	}
	take := r.takePlace
	if there {
		fmt.Fprintf(r.out, "Waiting for %s, whether a server has the database…\n", keeperLife)
		take = r.takeSilentPlace
	}
	kept, err := take(ctx, has)
	if err != nil {
		return err
	}
	if !kept {
		return errors.New("a server has the database; stop all of them, and type it again once they have ended")
	}
	return r.becomeKeeper(ctx)
}

func hasInstallation(path string) (bool, error) {
	d, err := atDataDir(path)
	if err != nil {
		return false, err
	}
	sqlite, err := d.has(sqliteFile)
	if sqlite || err != nil {
		return sqlite, err
	}
	return d.has(databaseFile)
}

// freshKey gives the new key: the operator's, or one that an earlier try has made, or one that is made now.
func (r *rotation) freshKey() ([]byte, error) {
	if r.newKeyFile != "" {
		return readKey(r.newKeyFile)
	}
	there, err := r.dir.has(newKeyFile)
	if err != nil {
		return nil, err
	}
	if !there {
		key := make([]byte, seal.KeySize)
		rand.Read(key)
		if err := errors.Join(writeNew(r.dir.file(newKeyFile), []byte(hex.EncodeToString(key)+"\n")), syncDir(r.dir.path)); err != nil {
			return nil, fmt.Errorf("write new key: %w", err)
		}
	}
	return r.dir.secret(newKeyFile, seal.KeySize, true)
}

// take makes the new key the one of the next start. One of the operator's leaves none in the data directory that nothing is sealed with.
func (r *rotation) take() error {
	if r.newKeyFile == "" {
		return r.dir.takeNewKey()
	}
	there, err := r.dir.has(keyFile)
	if err != nil || !there {
		return err
	}
	return r.dir.retireKey()
}

func (r *rotation) tell() error {
	if r.newKeyFile != "" {
		_, err := fmt.Fprintf(r.out, "All values are sealed with the key in %s. Start the server with --key-file %s.\n"+
			"Keep the old key as long as you keep backups of before.\n", r.newKeyFile, r.newKeyFile)
		return err
	}
	_, err := fmt.Fprintf(r.out, "All values are sealed with a new key, in %s. Keep a copy of it apart from the database.\n"+
		"The old one is in %s: backups of before need it, and nothing else does.\n", r.dir.file(keyFile), r.dir.file(oldKeyFile))
	return err
}

// resealing turns what is sealed with one key into what is sealed with another, which the database knows by check then.
func resealing(old, fresh *seal.Box, check string) store.Reseal {
	turn := func(purpose string, value setops.Sealed) (setops.Sealed, error) {
		text, err := old.Open(purpose, value)
		if err != nil {
			return "", err
		}
		return fresh.Seal(purpose, text), nil
	}
	return store.Reseal{
		Env: func(stageID, app, key string, v setops.Sealed) (setops.Sealed, error) {
			return turn(seal.EnvPurpose(stageID, app, key), v)
		},
		Certificate: func(key string, v setops.Sealed) (setops.Sealed, error) { return turn(certs.Purpose(key), v) },
		Installation: func(key, value string) (string, error) {
			switch {
			case key == keyCheck:
				return check, nil
			case key == domainKey:
				v, err := turn(domainPurpose, setops.Sealed(value))
				return string(v), err
			case strings.HasPrefix(value, seal.Prefix):
				return "", errors.New("it is sealed, and this version does not know what for")
			}
			return value, nil
		},
		Fingerprint: func(app *setops.App, isFresh bool) string {
			if isFresh {
				return plan.Fingerprint(fresh.FingerprintKey(), app)
			}
			return plan.Fingerprint(old.FingerprintKey(), app)
		},
	}
}
