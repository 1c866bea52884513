package web

func publicRoutes() []Route { return nil }
