// Package image keeps the unpacked images of this host and mounts them as root file systems. A layer is unpacked once,
// whatever the number of images and containers that use it: containers lay a private, writable directory over it with
// overlayfs.
//
// It runs no container and speaks no HTTP: blobs come from an engine.ImageSource. Whether an image may be used by whom
// is not decided here.
//
//	DIR/images/<key>.json        what is known of a prepared image: configuration and chain ids of its layers
//	DIR/layers/<chain id>/fs     the files of one layer, as overlayfs wants them
//	                     /layer.json
//	DIR/mounts/<container>/rootfs, upper, work, mount.json
//	DIR/tmp/                     work in progress; emptied by New
//
// A layer appears by a rename, so that it is whole or not there. Start with Store.Prepare, then unpack in unpack.go.
package image
