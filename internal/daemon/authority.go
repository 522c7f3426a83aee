package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// authorityFile holds the certificate of the server's own authority, in PEM.
const authorityFile = "authority.pem"

// newAuthority prints what browsers and clients must trust where the authority is the server's own.
func newAuthority(getenv func(string) string, stdout io.Writer) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "authority",
		Short: "Print the certificate of the server's own authority",
		Long: "Print the certificate, in PEM, of the authority that signs this server's certificates on a localhost domain and\n" +
			"with --acme-directory local. The first start with --https-listen makes it. Whoever trusts it trusts this server\n" +
			"for every name.",
		Example: "  setopsd authority > setops.pem && curl --cacert setops.pem https://api.localhost:8443/healthz",
		Args:    cobra.NoArgs,
	}
	c, fill := withSettings(cmd, getenv, "data-dir")
	cmd.RunE = func(*cobra.Command, []string) error {
		if err := fill(); err != nil {
			return err
		}
		return printAuthority(stdout, c.DataDir)
	}
	return cmd
}

func printAuthority(stdout io.Writer, dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, authorityFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no authority in %s: the first start with --https-listen makes it, on a localhost domain or with "+
			"--acme-directory %s", dir, localAuthority)
	}
	if err != nil {
		return fmt.Errorf("read authority: %w", err)
	}
	_, err = stdout.Write(text)
	return err
}
