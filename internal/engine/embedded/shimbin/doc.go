// Package shimbin holds the program setops-shim inside setopsd, so that one file is all there is to install. It is there
// in builds with the tag shim, after `gzip -9nc setops-shim > setops-shim_amd64.gz` in this directory, or what the processor is
// called; other builds, those of tests among them, look for the program on the disk.
package shimbin
