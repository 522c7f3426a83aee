// Package image takes images from where people have them and pushes them to the image registry of the server: from a
// directory or an archive on disk, from the Docker of this machine, from another registry, or built on the spot. Of images for
// several platforms it takes the one that the server runs.
//
// It knows no command, no terminal and no API. Start with Find, which tells what an argument means, then Source.Open and Push.
package image
