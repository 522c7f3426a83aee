// Command setops is the command line of SetOps; see package cli.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/setopsco/setops/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(cli.Main(ctx, cli.Arguments(os.Args), os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
