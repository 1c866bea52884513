package read

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"causeway/coord"
)

func optional(kind coord.Kind, column string) Trace {
	return Trace{Kind: kind, Column: column, Optional: true}
}

func listed(kind coord.Kind, column string) Trace {
	return Trace{Kind: kind, Column: column, Optional: true, List: true}
}

// Layouts are the ready mappings. Field names are those of the named tools'
// and platforms' own documentation.
var Layouts = []Layout{
	Generic(),
	CNT(),
	{Name: "twarc", About: "twarc2 flatten, JSON Lines of Twitter API v2", Account: "author_id", Content: "id", Time: "created_at", Clock: ISO, Traces: []Trace{
		optional(coord.Repost, "referenced_tweets[type=retweeted].id"), optional(coord.Reply, "referenced_tweets[type=replied_to].id"),
		optional(coord.URL, "entities.urls[].expanded_url"), optional(coord.Hashtag, "entities.hashtags[].tag"), optional(coord.Text, "text")}},
	{Name: "twarc1", About: "twarc 1, JSON Lines of Twitter API v1.1", Account: "user.id_str", Content: "id_str", Time: "created_at", Clock: Twitter, Traces: []Trace{
		optional(coord.Repost, "retweeted_status.id_str"), optional(coord.Reply, "in_reply_to_status_id_str"),
		optional(coord.URL, "entities.urls[].expanded_url"), optional(coord.Hashtag, "entities.hashtags[].text"), optional(coord.Text, "full_text|text")}},
	{Name: "io-archive", About: "Twitter's information operations archive, CSV; times are full minutes", Account: "userid", Content: "tweetid", Time: "tweet_time", Clock: UTC, Traces: []Trace{
		optional(coord.Repost, "retweet_tweetid"), optional(coord.Reply, "in_reply_to_tweetid"), listed(coord.URL, "urls"), listed(coord.Hashtag, "hashtags"), optional(coord.Text, "tweet_text")}},
	{Name: "telegram", About: "Telethon Message.to_dict, JSON Lines; ids are unique within a channel", Account: "peer_id.channel_id|peer_id.chat_id", Content: "peer_id.channel_id+id|peer_id.chat_id+id", Time: "date", Clock: ISO, Traces: []Trace{
		optional(coord.Repost, "fwd_from.from_id.channel_id+fwd_from.channel_post"), optional(coord.URL, "entities[].url|media.webpage.url"), optional(coord.Text, "message")}},
	{Name: "bluesky", About: "Jetstream events, JSON Lines", Account: "did", Content: "did+commit.rkey", Time: "time_us", Clock: Microseconds, Where: "kind=commit", Traces: []Trace{
		{Kind: coord.Repost, Column: "commit.record.subject.uri", Optional: true, Where: "commit.collection=app.bsky.feed.repost"},
		optional(coord.Reply, "commit.record.reply.parent.uri"), optional(coord.URL, "commit.record.embed.external.uri|commit.record.facets[].features[].uri"),
		optional(coord.Hashtag, "commit.record.facets[].features[].tag"), optional(coord.Text, "commit.record.text")}},
	{Name: "tiktok", About: "TikTok Research API video query, JSON Lines", Account: "username", Content: "id", Time: "create_time", Clock: Seconds, Traces: []Trace{
		optional(coord.Object, "music_id"), optional(coord.Hashtag, "hashtag_names[]"), optional(coord.Text, "video_description")}},
	{Name: "youtube", About: "YouTube Data API v3 search or video items, JSON Lines", Account: "snippet.channelId", Content: "id.videoId|id", Time: "snippet.publishedAt", Clock: ISO, Traces: []Trace{
		optional(coord.Hashtag, "snippet.tags[]"), optional(coord.Text, "snippet.description|snippet.title")}},
	{Name: "crowdtangle", About: "CrowdTangle API posts, JSON Lines, as CooRnet reads them", Account: "account.id", Content: "platformId", Time: "date", Clock: UTC, Traces: []Trace{
		optional(coord.URL, "expandedLinks[].expanded|link"), optional(coord.Text, "message")}},
	{Name: "facebook", About: "Meta Content Library posts, CSV", Account: "post_owner.id", Content: "id", Time: "creation_time", Traces: []Trace{
		optional(coord.URL, "link_attachment.link"), listed(coord.Hashtag, "hashtags"), optional(coord.Text, "text")}},
}

// LayoutByName returns a ready mapping.
func LayoutByName(name string) (Layout, error) {
	var names []string
	for _, l := range Layouts {
		if l.Name == name {
			return l, nil
		}
		names = append(names, l.Name)
	}
	return Layout{}, fmt.Errorf("no mapping called %q: there are %s; or give a mapping file", name, strings.Join(names, ", "))
}

// ParseLayout reads a mapping file: the JSON form of [Layout].
func ParseLayout(b []byte) (Layout, error) {
	var l Layout
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return l, fmt.Errorf("read the mapping: %w", err)
	}
	if l.Name == "" {
		l.Name = "mapping"
	}
	if l.Account == "" || l.Content == "" || l.Time == "" || len(l.Traces) == 0 {
		return l, fmt.Errorf("the mapping must name account, content, time and at least one of traces")
	}
	return l, nil
}

// Only keeps the traces of the wanted kinds. A layout with one trace of no
// kind of its own takes the first wanted one: that is what its objects are. A
// trace of addresses also gives their pages and sites.
func (l Layout) Only(kinds ...coord.Kind) (Layout, error) {
	if len(kinds) == 0 {
		return l, nil
	}
	if len(l.Traces) == 1 && l.Traces[0].Kind == coord.Object {
		t := l.Traces[0]
		l.Traces = nil
		for _, k := range kinds {
			t.Kind = k
			l.Traces = append(l.Traces, t)
		}
		return l, nil
	}
	var out []Trace
	for _, k := range kinds {
		found := false
		for _, t := range l.Traces {
			if t.Kind == k || t.Kind == coord.URL && (k == coord.Page || k == coord.Site) {
				t.Kind = k
				out = append(out, t)
				found = true
			}
		}
		if !found {
			return l, fmt.Errorf("mapping %s has no trace of kind %v", l.Name, k)
		}
	}
	l.Traces = out
	return l, nil
}

// layoutOf recognises a CSV by its header; the generic layout when none fits,
// whose error then names the columns missing.
func layoutOf(header []string) Layout {
	for _, l := range Layouts {
		if l.Header != nil {
			if slices.Equal(l.Header, header) {
				return l
			}
			continue
		}
		c, err := l.columns(header)
		if err == nil && slices.ContainsFunc(c.traces, func(c cell) bool { return c != nil }) {
			return l
		}
	}
	return Generic()
}

// withImages adds the trace of images to a recognised layout whose input has
// one: perceptual hashes in image_hash, or with Options.Images the names of
// image files in image. An input of images alone needs no object_id.
func (o *Options) withImages(l Layout, has func(column string) bool) Layout {
	hashes, files := has("image_hash"), o.Images && has("image")
	if !hashes && !files || l.Header != nil || slices.ContainsFunc(l.Traces, func(t Trace) bool { return t.Kind == coord.Image }) {
		return l
	}
	t := Trace{Kind: coord.Image, Column: "image_hash", Optional: true, List: true}
	switch {
	case hashes && files:
		t.Column = "image_hash|image"
	case files:
		t.Column = "image"
	}
	if generic := Generic(); l.Name == generic.Name && !slices.ContainsFunc(aliases[generic.Traces[0].Column], has) {
		l.Traces = nil
	}
	l.Traces = append(slices.Clone(l.Traces), t)
	return l
}

// layoutOfJSON recognises JSON Lines by the first one.
func layoutOfJSON(line []byte) Layout {
	if json.Valid(line) {
		for _, l := range Layouts {
			if l.Header == nil && first(line, paths(l.Account)) != nil && first(line, paths(l.Content)) != nil && first(line, paths(l.Time)) != nil {
				return l
			}
		}
	}
	return Generic()
}
