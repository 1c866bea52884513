//go:build !linux

package main

// hugePages does nothing: the system has no such advice.
func hugePages([]byte) {}
