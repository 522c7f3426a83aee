// Command setopsd is the SetOps server. What it does is in package daemon.
package main

import (
	"os"

	"github.com/setopsco/setops/internal/daemon"
)

func main() { os.Exit(daemon.Main(os.Args[1:], os.Getenv, os.Stdout, os.Stderr)) }
