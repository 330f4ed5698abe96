import { app } from 'electron'
