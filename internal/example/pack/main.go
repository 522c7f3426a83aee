// Command pack makes the images of the guide to deployment without Docker: it compiles hello in several versions and
// writes each as an image of one layer, in an OCI layout (or, for docker load, in an archive).
//
//	go run ./internal/example/pack hello          makes the directory hello with the tags 1.0 to 1.3
//	go run ./internal/example/pack -archive hello.tar   makes an archive with the images hello:1.0 to hello:1.3
//
// The same sources and the same Go give the same digests.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	archive := flag.Bool("archive", false, "write an archive for docker load in place of an OCI layout")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: pack [-archive] PATH")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := pack(flag.Arg(0), *archive); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}
