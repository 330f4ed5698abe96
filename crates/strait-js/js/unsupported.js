'use strict'
// What Electron documents and Strait does not have: calling it says so by name, instead of failing as 'not a function'.
// Only what Electron has on every platform stands here: programs ask for the rest before they use it.

/** Methods, in the order of Electron's pages. */
const METHODS = {
  app: `relaunch focus hide show isHidden setAppLogsPath getFileIcon getLocaleCountryCode getSystemLocale getPreferredSystemLanguages
    addRecentDocument clearRecentDocuments setAsDefaultProtocolClient removeAsDefaultProtocolClient isDefaultProtocolClient
    getApplicationNameForProtocol requestSingleInstanceLock hasSingleInstanceLock releaseSingleInstanceLock
    disableHardwareAcceleration disableDomainBlockingFor3DAPIs getAppMetrics getGPUFeatureStatus getGPUInfo setBadgeCount
    getBadgeCount getLoginItemSettings setLoginItemSettings isAccessibilitySupportEnabled setAccessibilitySupportEnabled
    showAboutPanel setAboutPanelOptions isEmojiPanelSupported showEmojiPanel enableSandbox configureHostResolver setProxy resolveProxy`,
  BrowserWindow: `blur isModal maximize unmaximize isMaximized minimize restore isMinimized setFullScreen isFullScreen isNormal
    setAspectRatio setBackgroundColor getBackgroundColor setBounds getBounds setContentBounds getContentBounds getNormalBounds
    setEnabled isEnabled setMinimumSize getMinimumSize setMaximumSize getMaximumSize setResizable isResizable setMovable isMovable
    setMinimizable isMinimizable setMaximizable isMaximizable setFullScreenable isFullScreenable setClosable isClosable
    setAlwaysOnTop isAlwaysOnTop moveAbove moveTop center setPosition getPosition flashFrame setSkipTaskbar setKiosk isKiosk
    isTabletMode getMediaSourceId getNativeWindowHandle setRepresentedFilename focusOnWebView blurWebView capturePage setMenu
    removeMenu setProgressBar setHasShadow hasShadow setOpacity getOpacity setShape showDefinitionForSelection setIcon
    setAutoHideMenuBar isMenuBarAutoHide setMenuBarVisibility isMenuBarVisible setVisibleOnAllWorkspaces
    isVisibleOnAllWorkspaces setIgnoreMouseEvents setContentProtection setFocusable isFocusable setParentWindow
    getParentWindow getChildWindows setBrowserView getBrowserView addBrowserView removeBrowserView setTopBrowserView getBrowserViews`,
  webContents: `downloadURL isWaitingForResponse canGoBack canGoForward canGoToOffset clearHistory goBack goForward goToIndex
    goToOffset forcefullyCrashRenderer setUserAgent getUserAgent insertCSS removeInsertedCSS setIgnoreMenuShortcuts
    setAudioMuted isAudioMuted isCurrentlyAudible setZoomFactor getZoomFactor setZoomLevel getZoomLevel
    setVisualZoomLevelLimits undo redo cut copy centerSelection copyImageAt paste pasteAndMatchStyle delete selectAll unselect
    scrollToTop scrollToBottom adjustSelection replace replaceMisspelling insertText findInPage stopFindInPage capturePage
    isBeingCaptured getPrintersAsync print printToPDF addWorkSpace removeWorkSpace setDevToolsWebContents openDevTools
    closeDevTools isDevToolsOpened isDevToolsFocused getDevToolsTitle setDevToolsTitle toggleDevTools inspectElement
    inspectSharedWorker inspectServiceWorker enableDeviceEmulation disableDeviceEmulation sendInputEvent beginFrameSubscription
    endFrameSubscription startDrag savePage isOffscreen startPainting stopPainting isPainting setFrameRate getFrameRate
    invalidate getWebRTCIPHandlingPolicy setWebRTCIPHandlingPolicy getMediaSourceId takeHeapSnapshot setBackgroundThrottling
    getBackgroundThrottling setImageAnimationPolicy isFocused`
}

/** Objects that are always there: to read them is to use them. */
const PROPERTIES = { app: 'commandLine', BrowserWindow: '', webContents: 'session navigationHistory debugger' }

const words = (text) => text.split(/\s+/).filter((word) => word !== '')

/** Gives the prototype of `constructor` what the tables list under `name` and it does not have itself. */
function refuse (constructor, name) {
  const { prototype } = constructor
  const present = Object.getOwnPropertyNames(prototype).filter((member) => member !== 'constructor').sort().join(', ')
  const fail = (member) => { throw new Error(`${name}.${member} is not supported by Strait's main process, which has: ${present}`) }
  const add = (member, description) => {
    if (!(member in prototype)) Object.defineProperty(prototype, member, { ...description, configurable: true, enumerable: false })
  }
  for (const member of words(METHODS[name])) add(member, { value: () => fail(member), writable: true })
  for (const member of words(PROPERTIES[name])) {
    // A program may put its own there.
    add(member, {
      get: () => fail(member),
      set (value) { Object.defineProperty(this, member, { value, writable: true, configurable: true, enumerable: true }) }
    })
  }
}

module.exports = { refuse }
