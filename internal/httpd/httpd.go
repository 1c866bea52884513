// Package httpd is the door of a node for people and their programs.
package httpd

import (
	"net/http"

	"causeway/internal/node"
)

// New makes the handler of everything a node serves to people and programs.
func New(n *node.Node) (http.Handler, error) { return http.NotFoundHandler(), nil }
